"""What a workspace's jobs and deployments are made of: datastores, codes, environments, data, models; and their blobs."""
