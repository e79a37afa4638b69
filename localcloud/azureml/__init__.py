"""The local cloud's Azure Machine Learning v2: environments, and what is built upon them."""
