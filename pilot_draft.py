"""usage: pilot.py NAME... ; each name is a pilot below"""
import sys, json, time, dataclasses
from helpers.quiet import hush_tensorflow
hush_tensorflow()
import numpy as np, keras
from functools import partial
from helpers import models, recipe as rmod
from helpers.data import load_cifar10
from helpers.evaluation import predict_logits
from helpers.recipe import Recipe
from helpers.augment import Augmentation
from helpers import training
A=Augmentation(flip=True, alternate=True, shift=2)
BASE=Recipe(epochs=6,batch_size=500,optimizer="sgd",learning_rate=0.7,momentum=0.85,schedule="triangular",weight_decay=0.009,shift_rate=64.0,label_smoothing=0.2,augmentation=A)
def p(width=16, activation="silu", ema=None, muon=None, **ch): return dict(width=width, activation=activation, ema=ema, muon=muon, recipe=dataclasses.replace(BASE, **ch))
P={"base":p(),"lr.35":p(learning_rate=.35),"lr1.4":p(learning_rate=1.4),"avg2":p(averaging=2),"avg3":p(averaging=3),"wd.003":p(weight_decay=.003),"wd.02":p(weight_decay=.02),
"ls.1":p(label_smoothing=.1),"shift4":p(augmentation=Augmentation(flip=True,alternate=True,shift=4)),"randflip":p(augmentation=Augmentation(flip=True,shift=2)),
"sr1":p(shift_rate=1.0),"sr16":p(shift_rate=16.0),"gelu":p(activation="gelu"),"relu":p(activation="relu"),"b250":p(batch_size=250,learning_rate=.35),"b1000":p(batch_size=1000,learning_rate=1.4),
"ema.95":p(ema=.95),"ema.98":p(ema=.98),"quick":p(width=32,epochs=8),"quick7":p(width=32,epochs=7),"full":p(width=64,epochs=11),"m.9":p(momentum=.9,learning_rate=.47),
"mu.24":p(muon=.24,momentum=.6),"mu.12":p(muon=.12,momentum=.6),"mu.12m.85":p(muon=.12),"mu.06m.85":p(muon=.06),"mu.24b1000":p(muon=.24,momentum=.6,batch_size=1000,learning_rate=1.4),"w24e6":p(width=24),"w48e10":p(width=48,epochs=10)}
if __name__=="__main__":
    d=load_cifar10("official",seed=100).for_training()
    from helpers.muon import Muon
    SGD0=rmod.ShiftRateSGD
    orig=training.compile_model
    for name in sys.argv[1:]:
        v=P[name]
        rmod.ShiftRateSGD = SGD0 if not v["muon"] else (lambda v=v, **o: Muon(kernel_factor=v["muon"]/v["recipe"].learning_rate, **{**o,"weight_decay":None}))
        def comp(model, rec, steps_per_epoch, v=v):
            orig(model, rec, steps_per_epoch)
            if v["ema"]:
                o=model.optimizer; o.use_ema=True; o.ema_momentum=v["ema"]; o.ema_overwrite_frequency=None
        training.compile_model=comp
        t=time.time()
        m,run=training.train(partial(models.fast_net,v["width"],activation=v["activation"]),d,v["recipe"],100,progress=False)
        t=time.time()-t
        a={k:float((predict_logits(m,d.val.images,k).argmax(1)==d.val.labels).mean()) for k in (1,2,6)}
        print(name, {k:round(100*x,2) for k,x in a.items()}, f"epochs fastest {min(h['seconds'] for h in run.history):.1f} s, sum {run.seconds:.0f} s", [round(100*h['val_accuracy'],1) for h in run.history], flush=True)
