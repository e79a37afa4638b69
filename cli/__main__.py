"""``python -m cli VERB``, which is what ``./dev VERB`` runs."""

from cli.app import build

if __name__ == "__main__":
    build()(prog_name="./dev")
