"""Sign-in, as Azure's directory (Microsoft Entra ID) does it: tokens for the two principals of the local cloud.

Shape: `state` knows who there is and issues and checks tokens, `keys` has what they are signed with, `wire` the JSON,
`routes` the addresses, `errors` the AADSTS codes.
"""
