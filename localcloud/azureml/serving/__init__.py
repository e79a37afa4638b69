"""What runs the deployments of online endpoints: processes of their own Python, watched and started again.

`container` is what runs in one, `instance` one process, `replicas` those of a deployment, `plan` what is to run;
`materials` brings it to this machine, `traffic` splits calls, `state` knows all that runs.
"""
