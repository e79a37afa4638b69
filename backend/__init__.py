"""What Pulumi's file backend keeps of a project's stacks, which both engines share: settings, state, secrets, locks.

ws = Workspace.open(Path("."), "dev")
ws.snapshot().resources
"""
