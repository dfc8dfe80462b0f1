MODELS = None


def save_model(model, path, about): ...
