"""Evidence that holds at every look: the candidate against the stable arm of the same moment.

For each metric two wagers run, and what they have won is the evidence: one against "not worse than
stable", one against "worse by the margin or more". Who bets against something true cannot expect
to win, so evidence of 20 comes up by chance at most once in 20 rollouts, however often anybody
looks. Turner, Ly & Gruenwald, "Generic E-variables for exact sequential k-sample tests" (2024);
Turner & Gruenwald for margins, which are convex hypotheses; docs/adr/0009 for what was chosen here.

Everything is a pure function of counts and elapsed seconds, with plain floats: the same looks give
the same bits again.
"""
