{{/*
Rules by which Prometheus keeps the growth of counters, step by step, so that a month of it is read from
a few sums: docs/objectives.md. The operator knows them by these names and labels.
*/}}
{{- define "turnout.recordingGroups" -}}
{{- $rules := .Values.recordingRules -}}
{{- $namespace := $rules.namespaceLabel -}}
groups:
  - name: turnout
    interval: {{ $rules.interval }}
    rules:
      {{- range $one := $rules.series }}
      {{- $by := default $rules.podLabel $one.versionLabel }}
      {{- $names := ternary "(.+?)-[0-9a-f]{10}" "(.+?)-[0-9a-f]{10}-.+" (hasKey $one "versionLabel") }}
      {{- $labels := sortAlpha (default (list) $one.labels) }}
      {{- $kept := join "," (concat (list $namespace "turnout_agent") $labels) }}
      {{- $where := printf "%s=~%q,%s!=\"\",exported_%s=\"\",exported_%s=\"\"" $by $names $namespace $by $namespace }}
      - record: turnout:{{ $one.metric }}:increase
        labels:
          turnout_by: {{ $by | quote }}
        expr: >-
          sum by ({{ $kept }}) (label_replace(increase({{ $one.metric }}{ {{- $where -}} }[{{ $rules.interval }}]),
          "turnout_agent","$1",{{ $by | quote }},{{ $names | quote }}))
      - record: turnout:recorded
        labels:
          turnout_metric: {{ $one.metric | quote }}
          turnout_by: {{ $by | quote }}
          turnout_labels: {{ join "," $labels | quote }}
          turnout_every: {{ $rules.interval | quote }}
        expr: vector(1)
      {{- end }}
{{- end -}}
