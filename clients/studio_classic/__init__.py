"""Studio's classic web services: Studio API, management API, BES and RRS (api-version 2.0)."""
