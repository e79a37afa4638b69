"""Microsoft.MachineLearningServices/workspaces: the workspace, its computes, where its data plane is."""
