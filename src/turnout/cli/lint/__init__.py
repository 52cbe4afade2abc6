"""`turnout lint`: what the API server and the operator would refuse, said without a cluster."""
