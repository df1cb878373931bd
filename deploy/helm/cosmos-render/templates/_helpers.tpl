{{- define "cosmos-render.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 57 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 57 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 57 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "cosmos-render.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "cosmos-render.labels" -}}
{{ include "cosmos-render.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "cosmos-render.account" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "cosmos-render.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is missing: name the account that is there, or have one made (serviceAccount.create)" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "cosmos-render.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "cosmos-render.subjects" -}}
- kind: ServiceAccount
  name: {{ include "cosmos-render.account" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{/* What the runner may do with what lies in namespaces. */}}
{{- define "cosmos-render.rulesOfNamespaces" -}}
- apiGroups: [cosmos.strange.love]
  resources: [cosmosfullnodes]
  verbs: [get, list, watch, patch]
- apiGroups: [cosmos.strange.love]
  resources: [cosmosfullnodes/status]
  verbs: [patch]
- apiGroups: [cosmos.strange.love]
  resources: [cosmosfullnodes/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [pods, persistentvolumeclaims, configmaps, services, serviceaccounts]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods/eviction]
  verbs: [create]
# keys of nodes
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch]
- apiGroups: [snapshot.storage.k8s.io]
  resources: [volumesnapshots]
  verbs: [list, watch]
# the fleets' own Roles, whose rights the runner does not hold itself
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, list, watch, create, patch, delete, bind, escalate]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]

# From here on: for ScheduledVolumeSnapshots and StatefulJobs alone.
- apiGroups: [cosmos.strange.love]
  resources: [scheduledvolumesnapshots, statefuljobs]
  verbs: [list, watch]
- apiGroups: [cosmos.strange.love]
  resources: [scheduledvolumesnapshots/status, statefuljobs/status]
  verbs: [update]
- apiGroups: [snapshot.storage.k8s.io]
  resources: [volumesnapshots]
  verbs: [create, delete]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [list, watch, create]
{{- end -}}

{{/* What it may do in the whole cluster, whichever namespaces it looks after. */}}
{{- define "cosmos-render.rulesOfCluster" -}}
- apiGroups: [""]
  resources: [persistentvolumes]
  verbs: [get, list, watch, patch]
- apiGroups: [storage.k8s.io]
  resources: [storageclasses]
  verbs: [list, watch]
# who else acts on fleets
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [list, watch]
{{- end -}}
