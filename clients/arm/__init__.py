"""Azure Resource Manager: resources by their id, and the operations that change them."""
