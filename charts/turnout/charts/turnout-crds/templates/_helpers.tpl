{{/* Labels of everything in this chart; its name stands here because an alias changes .Chart.Name. */}}
{{- define "turnout-crds.labels" -}}
app.kubernetes.io/name: turnout-crds
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: turnout
helm.sh/chart: {{ printf "turnout-crds-%s" .Chart.Version }}
{{- end -}}

{{/* User names of the operators, as a JSON list. */}}
{{- define "turnout-crds.operators" -}}
{{- $names := list -}}
{{- range default (list dict) .Values.operators -}}
{{- $namespace := default $.Release.Namespace .namespace -}}
{{- $names = append $names (printf "system:serviceaccount:%s:%s" $namespace (default "turnout" .serviceAccount)) -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{/* Namespaces in which no Agent may stand, as a JSON list. */}}
{{- define "turnout-crds.closed" -}}
{{- $names := list "kube-system" "kube-public" "kube-node-lease" -}}
{{- range default (list dict) .Values.operators -}}
{{- $names = append $names (default $.Release.Namespace .namespace) -}}
{{- end -}}
{{- toJson (uniq $names) -}}
{{- end -}}

{{/* matchConditions that leave the operators alone. */}}
{{- define "turnout-crds.exceptOperators" -}}
- name: not-the-operator
  expression: {{ printf "!(request.userInfo.username in %s)" (include "turnout-crds.operators" .) | quote }}
{{- end -}}

{{/* Call with a dict of name and context: the binding that puts a policy of this name in force. */}}
{{- define "turnout-crds.binding" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  labels:
    {{- include "turnout-crds.labels" .context | nindent 4 }}
spec:
  policyName: {{ .name }}
  validationActions: [Deny]
{{- end -}}
