"""The verbs of whoever writes an experiment: `./dev experiment …` and `./dev data …`."""
