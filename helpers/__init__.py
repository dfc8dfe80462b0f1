"""What the chapters of the CIFAR-10 series share, in reading order; the number is the chapter that meets it.

session      01  start TensorFlow quietly, seed everything, say what this runs on
data         01  CIFAR-10 as train, validation and test: load_cifar10
plots        01  figures in one style, with a description for who cannot see them: show, image_grid
checks       01  exercises that check themselves; exercises, exercises_from_05, exercises_from_09 are the key
game         01  twenty small pictures to name, against the network
explore      01  near-duplicates and doubtful labels
models       02  the networks: raw pixels in, logits out
classical    02  what stood before networks in the figure of chapter 02: HOG and a linear SVM
recipe       03  everything about a training but the network, the data and the seed
training     03  train by a recipe: the model and its record
evaluation   03  what a number can tell: intervals, paired tests, how many runs a question needs
screening    03  which settings are tried, on which grids; chosen: what came out
comparisons  03  which variants are judged, with what was chosen
studies      03  which variants are compared, and by which recipe
records      03  recorded runs as tables
verdicts     04  what the records say, as pictures
augment      05  flips, shifts, cutout, mixup
optimizers   07  the triangular schedule, Muon, and what else the fast recipe needs
predict      08  a photo in, classes out; also a command: python -m helpers.predict PHOTO
export       08  a network in files of several formats, each run and compared
widget       08  upload a photo, see what the network says
explain      09  calibration, how alike maps are, what damage is tried
workers      10  many runs at once, on one machine or many
experiments      a command that trains what a study lists: python -m helpers.experiments run STUDY
doctor           a command that says what is wrong with a set-up: python -m helpers.doctor

internal/ is what these stand on, and no chapter imports it: files (written whole or not at all), official
(CIFAR-10's own), download (where they come from), sample (the synthetic stand-in), normalization (of batches,
in one operation), checkpoint (how far a training has come), network_file, photo_file (what may be in one).
"""

import os
import signal
import sys

if sys.argv[:1] == ["-m"]:  # a command starts: Ctrl-C ends it without a traceback, whatever it still imports
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
