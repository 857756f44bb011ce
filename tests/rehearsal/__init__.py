"""
A rehearsal: what will happen on AWS, on this machine (`make rehearse`).

It stands outside of `apps`, since it brings together what no app may: the stages' commands, typed
as an operator types them, and the laptop's servers that they talk to.
"""
