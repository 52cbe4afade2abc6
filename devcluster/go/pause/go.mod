// The first process of each pod: it holds the pod's namespaces and reaps what is orphaned there.
module turnout.dev/devcluster/pause

go 1.26.0
