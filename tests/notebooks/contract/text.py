"""Rules on the words and figures: plain, short, in order, and no number that nobody can reproduce."""

import re
from itertools import pairwise

from tests.notebooks.contract.book import HEADING, Book, Problems, output_text, rule

MOST_WORDS = 150
BANNED = re.compile(r"\b(just|simply|easy|easily|obviously)\b", re.IGNORECASE)
CHANCE = r"(?!(?:0|10|100)\s?(?:%|per))"  # chance among ten classes, all, none: nobody measured them
PERCENT = re.compile(rf"(?<![\w.]){CHANCE}\d+(?:[.,]\d+)?\s?(?:%|per ?cent\b)")
NAMES = {"Adam", "Colab", "Debian", "Fisher", "Google", "Jupyter", "Kaggle", "Keras", "Linux", "Matplotlib"}
NAMES |= {"Nesterov", "Pillow", "Polyak", "Python", "Student", "Toronto", "Wilson", "Windows"}


def without_code(source: str) -> str:
    """Return text without what it sets as code, and without link targets."""
    return re.sub(r"`[^`]*`|\]\([^)]*\)", " ", source)


@rule()
def short_text_cells(book: Book) -> Problems:
    """No text cell has more than 150 words."""
    for number, source in book.prose():
        visible = re.sub(r"\]\([^)]*\)|<[^>]+>|!\[", " ", source)  # no link targets, no HTML
        count = sum(bool(re.search(r"\w", word)) for word in visible.split())
        if count > MOST_WORDS:
            yield number, f"{count} words"


@rule()
def plain_words(book: Book) -> Problems:
    """No "just", "simply", "easy", "easily", "obviously": what is so to a writer may not be to a reader."""
    for number, source in book.prose():
        for match in BANNED.finditer(without_code(source)):
            yield number, f"says {match.group()!r}"


@rule()
def headings_in_order(book: Book) -> Problems:
    """One heading of the first level, in the first cell; below it they go down one level at a time."""
    found = book.headings()
    if [number for number, level, _ in found if level == 1] != [1]:
        yield None, "not one heading of the first level, in the first cell"
    for (_, above, _), (number, level, text) in pairwise([(0, 0, ""), *found]):
        if level > above + 1:
            yield number, f"{text!r} has level {level} under level {above}"


@rule()
def sentence_case(book: Book) -> Problems:
    """Headings are in sentence case and end without a full stop."""
    for number, _, text in book.headings():
        inner = re.split(r"[.:?!] ", without_code(text))
        later = [word.strip("\"'(),*_") for part in inner for word in part.split()[1:]]
        capital = [w for w in later if re.fullmatch(r"[A-Z][a-z]{2,}", w) and w not in NAMES]
        if capital:
            yield number, f"{text!r} has capitals inside: {', '.join(capital)}"
        if text.endswith("."):
            yield number, f"{text!r} ends with a full stop"


@rule()
def sourced_numbers(book: Book) -> Problems:
    """A percentage in the text carries a link to its source; what we measure is printed by code."""
    for number, source in book.prose():
        for paragraph in re.split(r"\n\s*\n", source):
            found = PERCENT.findall(without_code(paragraph))
            if found and "](" not in paragraph:
                yield number, f"{', '.join(found)} without a source"


def pictures(output: dict) -> list[str]:
    """Return the kinds of an output's pictures, like "image/png"."""
    return [kind for kind in output.get("data", {}) if kind.startswith("image/")]


@rule()
def figures_are_described(book: Book) -> Problems:
    """After a cell that shows a figure comes a sentence that says what to see."""
    texts = {number: source for number, source in book.prose() if not HEADING.match(source)}
    for number, output in book.outputs():
        if pictures(output) and number + 1 not in texts:
            yield number, "no sentence follows the figure"


@rule()
def figures_are_images(book: Book) -> Problems:
    """A figure is stored as one image with alt text, in its metadata and as plain text; none within HTML."""
    for number, output in book.outputs():
        if len(pictures(output)) > 1 or re.search(r"<(img|svg)\b", output_text(output)):
            yield number, "a figure is stored twice, or as HTML"
        for kind in pictures(output):
            alt, plain = output.metadata.get(kind, {}).get("alt", ""), output.data.get("text/plain")
            if len(alt.split()) < 3 or plain != alt:
                yield number, f"a figure's alt text is {alt!r}, its plain text {plain!r}"
