// The Gateway API's CRDs, at the version that Envoy Gateway is built with.
module turnout.dev/devcluster/gateway-api

go 1.26.0

require sigs.k8s.io/gateway-api v1.6.1
