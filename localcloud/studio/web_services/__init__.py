"""New web services: definitions, what becomes of them, and the operations that take their time.

`schema` knows the names of a definition, `definition` turns experiments into definitions and back, `requests` checks
what clients send, `shown` writes what they get, `state` keeps services, `operations` runs what takes its time and
`provisioning` is what it does. The resource types of Resource Manager in `localcloud.arm.types` are the face of it.
"""
