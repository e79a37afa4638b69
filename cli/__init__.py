"""The developer's command line: ``./dev VERB`` runs ``python -m cli VERB``."""
