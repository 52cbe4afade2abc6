"""`turnout gate replay`: what the production gate would have done to looks of the past."""
