{{/* Names: <release>-web, <release>-worker, …; each template gives its own part. */}}
{{- define "portal.name" -}}
{{ printf "%s-%s" (.root.Release.Name | trunc 50 | trimSuffix "-") .part }}
{{- end }}

{{/* What a Service, a Deployment and its pods are found by. */}}
{{- define "portal.selector" -}}
app.kubernetes.io/name: codabox-portal
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "portal.labels" -}}
{{ include "portal.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- define "portal.image" -}}
{{ required "Set image.repository to where you pushed the image of the Dockerfile." .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Everything that a pod of the portal may not do. 101 is the account of the image, and of nginx in its own. */}}
{{- define "portal.pod" -}}
automountServiceAccountToken: false
# Kubernetes would name services in PORTAL_…, like settings.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 101
  runAsGroup: 101
  fsGroup: 101
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "portal.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* The hosts of a part lie on different nodes where there are some. */}}
{{- define "portal.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "portal.selector" . | nindent 8 }}
{{- end }}

{{/* Settings: the public ones as they are, each secret as the path of its file. */}}
{{- define "portal.environment" -}}
{{- $url := required "Set url to the public address, https://connect.example." .Values.url -}}
- {name: PORTAL_URL, value: {{ $url | quote }}}
{{- if not (hasKey .Values.settings "PORTAL_TRUSTED_PROXIES") }}
- {name: PORTAL_TRUSTED_PROXIES, value: "1"}
{{- end }}
{{- if not (hasKey .Values.settings "PORTAL_ENDED_CONSENTS_FILE") }}
- {name: PORTAL_ENDED_CONSENTS_FILE, value: /proof/ended-consents.txt}
{{- end }}
{{- if not (hasKey .Values.settings "PORTAL_HOSTS") }}
# Prometheus asks each pod by its address.
- {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
- {name: PORTAL_HOSTS, value: {{ printf "%s,$(POD_IP)" (splitList ":" (urlParse $url).host | first) | quote }}}
{{- end }}
{{- range $name, $value := .Values.settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- range .Values.secrets.keys }}
- {name: {{ . }}_FILE, value: /run/secrets/portal/{{ . }}}
{{- end }}
{{- end }}

{{- define "portal.mounts" -}}
- {name: secrets, mountPath: /run/secrets/portal, readOnly: true}
- {name: proof, mountPath: /proof}
- {name: tmp, mountPath: /tmp}
{{- end }}

{{- define "portal.volumes" -}}
{{ include "portal.secrets" . }}
- name: proof
  persistentVolumeClaim: {claimName: {{ .Values.proofClaim }}}
{{- end }}

{{- define "portal.secrets" -}}
- name: secrets
  secret:
    secretName: {{ .Values.secrets.name }}
    defaultMode: 0440
    items:
      {{- range .Values.secrets.keys }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
- name: tmp
  emptyDir: {sizeLimit: 1Gi}
{{- end }}

{{/* One pod less at a time, when nodes are emptied. */}}
{{- define "portal.disruption" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "portal.name" . }}
  labels:
    {{- include "portal.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "portal.selector" . | nindent 6 }}
{{- end }}
