"""What all components have: options, plain resources, owners."""
