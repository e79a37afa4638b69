"""Studio: classic management, batch execution, request-response, New web services, workspaces, help."""
