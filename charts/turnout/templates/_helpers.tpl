{{/* Name of everything of one release. */}}
{{- define "turnout.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else -}}
{{- $name := default "turnout" .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What finds the operator's pods; never changes in the life of a release. */}}
{{- define "turnout.selectorLabels" -}}
app.kubernetes.io/name: {{ default "turnout" .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of everything in this chart; the chart's own win over commonLabels. */}}
{{- define "turnout.labels" -}}
{{- $own := include "turnout.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $own "app.kubernetes.io/part-of" "turnout" -}}
{{- $_ := set $own "helm.sh/chart" (printf "turnout-%s" .Chart.Version) -}}
{{- toYaml (merge $own .Values.commonLabels) -}}
{{- end -}}

{{- define "turnout.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Ends the rendering where the admission policies would refuse this very operator's writes. */}}
{{- define "turnout.requireOperatorInPolicies" -}}
{{- if and .Values.crds.enabled .Values.crds.policies -}}
{{- $self := printf "system:serviceaccount:%s:%s" .Release.Namespace .Values.serviceAccount.name -}}
{{- if not (has $self (include "turnout-crds.operators" .Subcharts.crds | fromJsonArray)) -}}
{{- fail (printf "crds.operators must name this operator, or the admission policies refuse its writes: --set 'crds.operators[0].serviceAccount=%s'" .Values.serviceAccount.name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Rights in the namespaces that the operator serves. No verb on secrets, on purpose. */}}
{{- define "turnout.rules" -}}
- apiGroups: [turnout.dev]
  resources:
    - agents
    - prompts
    - toolregistries
    - agentpolicies
    - rolloutstrategies
    - metrictemplates
    - evalsuites
    - agentversions
    - agentrollouts
    - evalruns
  verbs: [get, list, watch]
- apiGroups: [turnout.dev]
  resources: [agentversions, agentrollouts, evalruns]
  verbs: [create, delete]
- apiGroups: [turnout.dev]
  resources:
    - agents/status
    - prompts/status
    - toolregistries/status
    - agentpolicies/status
    - rolloutstrategies/status
    - metrictemplates/status
    - evalsuites/status
    - agentversions/status
    - agentrollouts/status
    - evalruns/status
  verbs: [patch]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch, delete]
# Their content is immutable: patch drops the operator's mark where an Agent leaves them behind.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
# What a kill switch stops is told by an annotation: this right does not reach what pods run.
- apiGroups: [""]
  resources: [pods/status]
  verbs: [patch]
{{- if .Values.jobs.enabled }}
# Jobs ask tool servers; each has its registry as owner and goes with it.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, delete]
# A version that is evaluated runs under an account of its own, which is bound to nothing and whose
# token no pod gets, and behind a network policy. Both go with the EvalRun and are never read.
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [create]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [create]
{{- end }}
# Children are collected only in a namespace that is not going away itself.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end -}}
