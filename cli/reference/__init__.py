"""Pages and schemas that are written from what the code declares: resources, modules, metrics, files' schemas."""
