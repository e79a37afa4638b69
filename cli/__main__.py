"""``python -m cli VERB``, which is what ``./dev VERB`` runs."""

import sys

from cli.app import main

if __name__ == "__main__":
    main(sys.argv[1:])
