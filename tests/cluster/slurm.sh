#!/usr/bin/env bash
# A real Slurm of one node on this machine, for the tests of workflow/profiles/slurm. Needs root; no systemd, no cgroup.
#   tests/cluster/slurm.sh up          installs Debian's packages if they are missing, writes a configuration, starts it
#   tests/cluster/slurm.sh status      the node's state; fails where this cluster does not answer
#   tests/cluster/slurm.sh node-fails  kills slurmd and every process of its jobs with signal 9, as a loss of power does
#   tests/cluster/slurm.sh agent-stops kills slurmd only: the node falls silent, its processes go on
#   tests/cluster/slurm.sh node-returns starts slurmd again
#   tests/cluster/slurm.sh down        stops what `up` started and removes its files
set -euo pipefail

STATE=${GLINER_BENCH_SLURM:-/tmp/gliner-bench-slurm}
PRETENDED_GPUS=4  # device files that exist everywhere; Slurm only counts them and sets CUDA_VISIBLE_DEVICES
# Debian puts daemons where only root's login finds them.
PATH=$PATH:/usr/sbin:/sbin

die() {
    echo "slurm.sh: $*" >&2
    exit 1
}

ours() {
    [ "$(readlink /etc/slurm/slurm.conf 2>/dev/null)" = "$STATE/slurm.conf" ]
}

pid_of() {
    cat "$STATE/$1.pid" 2>/dev/null || true
}

alive() {
    local pid
    pid=$(pid_of "$1")
    [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null
}

family() { # a process and all that descend from it
    local child
    for child in $(pgrep -P "$1" || true); do family "$child"; done
    echo "$1"
}

install_packages() {
    command -v slurmctld slurmd munged >/dev/null && return
    command -v apt-get >/dev/null || die "install Slurm (slurmctld, slurmd, its client programs) and munge first"
    apt-get install -y --no-install-recommends slurm-wlm munge ||
        { apt-get update && apt-get install -y --no-install-recommends slurm-wlm munge; }
}

start_munge() {
    pgrep -x munged >/dev/null && return
    install -d -o munge -g munge -m 0755 /run/munge
    install -d -o munge -g munge -m 0700 /var/log/munge /var/lib/munge
    if [ ! -s /etc/munge/munge.key ]; then
        dd if=/dev/urandom of=/etc/munge/munge.key bs=1 count=1024 status=none
    fi
    chown munge:munge /etc/munge/munge.key
    chmod 400 /etc/munge/munge.key
    runuser -u munge -- munged
    touch "$STATE/munge-is-ours"
}

write_configuration() {
    local host
    host=$(hostname -s)
    mkdir -p "$STATE/state" "$STATE/spool" "$STATE/log"
    # cred_expire is also how long a requeued job waits; bf_interval and sched_interval spare tests idle seconds. Jobs
    # are as nice as the workflow (PropagatePrioProcess).
    # OverMemoryKill stands in for the cgroups with which real clusters hold jobs to their memory.
    cat >"$STATE/slurm.conf" <<CONF
ClusterName=bench
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=cred_expire=20
CredType=cred/munge
SlurmctldPort=6817
SlurmdPort=6818
StateSaveLocation=$STATE/state
SlurmdSpoolDir=$STATE/spool
SlurmctldPidFile=$STATE/slurmctld.pid
SlurmdPidFile=$STATE/slurmd.pid
SlurmctldLogFile=$STATE/log/slurmctld.log
SlurmdLogFile=$STATE/log/slurmd.log
SlurmdTimeout=20
PropagatePrioProcess=1
ReturnToService=2
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=5,sched_interval=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill,UsePss
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$STATE/log/jobcomp.txt
MinJobAge=3600
NodeName=$host NodeAddr=127.0.0.1 $(slurmd -C | head -1 | grep -oE 'CPUs=.*') Gres=gpu:$PRETENDED_GPUS State=UNKNOWN
PartitionName=main Nodes=$host Default=YES DefaultTime=60 MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
    : >"$STATE/gres.conf"
    local number
    for number in $(seq "$PRETENDED_GPUS"); do
        ln -sf /dev/null "$STATE/gpu$number"
        echo "NodeName=$host Name=gpu File=$STATE/gpu$number" >>"$STATE/gres.conf"
    done
    # Jobs must find it without SLURM_CONF: the executor strips SLURM_* from their environment.
    mkdir -p /etc/slurm
    ln -sf "$STATE/slurm.conf" /etc/slurm/slurm.conf
    ln -sf "$STATE/gres.conf" /etc/slurm/gres.conf
}

wait_for_node() { # until sinfo shows one of the states
    local state
    for _ in $(seq 60); do
        state=$(sinfo --noheader --format %t 2>/dev/null || true)
        case " $* " in *" $state "*) return ;; esac
        sleep 1
    done
    die "the node is '$state' after a minute, not one of: $*; see $STATE/log"
}

up() {
    [ "$(id -u)" = 0 ] || die "slurmctld and slurmd need root here"
    install_packages
    if ours && alive slurmctld && alive slurmd; then status; return; fi
    if [ -e /etc/slurm/slurm.conf ] && ! ours; then die "/etc/slurm/slurm.conf belongs to another Slurm; not touched"; fi
    mkdir -p "$STATE"
    write_configuration
    start_munge
    alive slurmctld || slurmctld
    alive slurmd || slurmd
    wait_for_node idle mix alloc
    status
}

status() {
    ours && alive slurmctld || die "not running; \`tests/cluster/slurm.sh up\` starts it"
    sinfo --noheader --Node --format "%N %T, %c CPUs, %m MB, %G, Slurm $(sinfo --version | cut -d' ' -f2)"
}

stop() { # a process, and wait until it is gone
    if [ -n "$1" ] && kill "$1" 2>/dev/null; then
        for _ in $(seq 100); do kill -0 "$1" 2>/dev/null || break; sleep 0.1; done
    fi
}

kill_steps() {
    local step
    for step in $(pgrep -x slurmstepd || true); do
        # shellcheck disable=SC2046
        kill -9 $(family "$step") 2>/dev/null || true
    done
}

agent_stops() {
    ours && alive slurmd || die "no slurmd of ours is running"
    kill -9 "$(pid_of slurmd)"
}

node_returns() {
    ours || die "not running"
    slurmd
    wait_for_node idle mix alloc
}

down() {
    ours || { echo "slurm.sh: nothing of ours to stop"; return; }
    scancel --user root 2>/dev/null || true
    sleep 1
    stop "$(pid_of slurmctld)"
    stop "$(pid_of slurmd)"
    kill_steps
    if [ -e "$STATE/munge-is-ours" ]; then stop "$(cat /run/munge/munged.pid)"; fi
    rm -f /etc/slurm/slurm.conf /etc/slurm/gres.conf
    rm -rf "$STATE"
    echo "slurm.sh: stopped"
}

case "${1:-}" in
    up) up ;;
    status) status ;;
    node-fails) agent_stops; kill_steps ;;
    agent-stops) agent_stops ;;
    node-returns) node_returns ;;
    down) down ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
