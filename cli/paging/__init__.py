"""The pages about a stack: what they tell is looked up here, and previews and updates are run for them."""
