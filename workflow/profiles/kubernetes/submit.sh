#!/bin/sh
# Starts one job of the workflow as a Kubernetes job and prints its name:
#   submit.sh CPUS MEGABYTES GPUS MINUTES SCRIPT
# What a job asks for is its limit too: one that takes more memory is ended, and Snakemake tries it with more.
set -eu
image=${GLINER_BENCH_IMAGE:?the image that the pods run}
claim=${GLINER_BENCH_CLAIM:?the ReadWriteMany volume claim that holds the project}
mount=${GLINER_BENCH_MOUNT:?where the claim is mounted, here and in the pods}
case $PWD/ in "$mount"/*) ;; *) echo "$PWD is not below GLINER_BENCH_MOUNT=$mount; start the workflow there" >&2; exit 2 ;; esac
name=gliner-bench-$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')
gpus=
[ "$3" -eq 0 ] || gpus=", nvidia.com/gpu: $3"
kubectl create -f - >&2 <<JOB
apiVersion: batch/v1
kind: Job
metadata: {name: $name, labels: {app: gliner-bench}}
spec:
  backoffLimit: 0
  activeDeadlineSeconds: $(($4 * 60))
  ttlSecondsAfterFinished: 86400
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: job
          image: "$image"
          command: [/bin/sh, "$5"]
          workingDir: "$PWD"
          resources: {limits: {cpu: $1, memory: ${2}M$gpus}}
          volumeMounts: [{name: project, mountPath: "$mount"}]
      volumes: [{name: project, persistentVolumeClaim: {claimName: "$claim"}}]
JOB
echo "$name"
