"""Web services, their endpoints, and the plan that they are billed to."""
