#!/usr/bin/env bash
# Deploys Cove to Google Cloud Run: APIs, service account, secret, image, service.
#
#   PROJECT=my-project ./deploy/cloud-run.sh
#
# Not verified against Google's cloud from this repository: there is none to test on. What was checked is in README.md.
#
# The second-generation execution environment is a small Linux machine of its own per instance; the first is gVisor, in which the
# namespaces that Cove is made of are not all there. Expect the tier "namespaces, bare": there are no control groups to divide and no
# subordinate ids, so memory, cpu, pids and ids must be allowed to be missing by name. Each sandbox then has rlimits, its own namespaces,
# Landlock where the kernel has it, and the system call filter; the instance's memory and CPU are what bounds all of them together.
# Tenants that are hostile to each other belong in one instance (or one Cloud Run Job) each.
#
# A sandbox stays in the instance that made it. So there is one instance, unless ONLY_EXECUTE=1 says that only POST /execute without
# sandbox_id is used: then every call is whole in itself, and any instance can answer it.
set -euo pipefail

project=${PROJECT:?set PROJECT to the id of your Google Cloud project}
region=${REGION:-us-central1}
service=${SERVICE:-cove}
memory=${MEMORY:-2Gi}
cpu=${CPU:-2}
timeout=${TIMEOUT:-3600}
min_instances=${MIN_INSTANCES:-0}
max_instances=1
[[ ${ONLY_EXECUTE:-} ]] && max_instances=${MAX_INSTANCES:-5}
allowed=${ALLOW_DEGRADED:-memory,cpu,pids,ids}
secret=${SECRET:-cove-api-key}
account=$service-executor@$project.iam.gserviceaccount.com
image=$region-docker.pkg.dev/$project/cove/server
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

say() { printf 'cloud-run: %s\n' "$*" >&2; }
cloud() { gcloud --project "$project" --quiet "$@"; }

say "enabling the APIs of project $project"
cloud services enable run.googleapis.com secretmanager.googleapis.com artifactregistry.googleapis.com cloudbuild.googleapis.com

say "service account $account: may write logs and read its one secret, nothing else"
cloud iam service-accounts describe "$account" >/dev/null 2>&1 ||
    cloud iam service-accounts create "$service-executor" --display-name "Cove executor"
cloud projects add-iam-policy-binding "$project" --member "serviceAccount:$account" --role roles/logging.logWriter --condition None >/dev/null

if ! cloud secrets describe "$secret" >/dev/null 2>&1; then
    # 160 bits from the kernel. The key is never printed: read it with the command below.
    letters=$(head -c 4096 /dev/urandom | LC_ALL=C tr -dc 'a-km-np-z2-9') # 32 letters, 5 bits each
    printf 'cove_%s_%s' "${letters:0:8}" "${letters:8:32}" |
        cloud secrets create "$secret" --data-file=-
fi
cloud secrets add-iam-policy-binding "$secret" --member "serviceAccount:$account" --role roles/secretmanager.secretAccessor >/dev/null

cloud artifacts repositories describe cove --location "$region" >/dev/null 2>&1 ||
    cloud artifacts repositories create cove --location "$region" --repository-format docker
say "building $image"
steps=$(mktemp)
trap 'rm -f "$steps"' EXIT
cat >"$steps" <<BUILD
steps:
  - name: gcr.io/cloud-builders/docker
    args: [build, -f, deploy/Dockerfile, -t, $image, .]
images: [$image]
BUILD
cloud builds submit --config "$steps" "$root"

# Cloud Run sets PORT, which makes the server listen on 0.0.0.0; keys are required there, and the one from Secret Manager is the first.
# --no-cpu-throttling: a run in the background, an idle timeout and a drain need the processor between requests as well.
# --allow-unauthenticated: the caller shows Cove's key in X-API-Key. With IAM in front, leave it out: Authorization is then Google's.
say "deploying $service to $region"
cloud run deploy "$service" \
    --image "$image" \
    --region "$region" \
    --platform managed \
    --execution-environment gen2 \
    --service-account "$account" \
    --set-secrets "COVE_API_KEY=$secret:latest" \
    --set-env-vars "^|^COVE_ALLOW_DEGRADED=$allowed|COVE_HOSTS=*.a.run.app|GOOGLE_CLOUD_PROJECT=$project" \
    --memory "$memory" \
    --cpu "$cpu" \
    --no-cpu-throttling \
    --concurrency 80 \
    --timeout "$timeout" \
    --min-instances "$min_instances" \
    --max-instances "$max_instances" \
    --allow-unauthenticated

url=$(cloud run services describe "$service" --region "$region" --format 'value(status.url)')
say "ready at $url; try:"
cat <<TRY
curl -X POST -H "Content-Type: application/json" \\
  -H "X-API-Key: \$(gcloud secrets versions access latest --secret $secret --project $project)" \\
  -d '{"code": "print(\"Hello from Claude!\")"}' \\
  $url/execute
TRY
