# Becomes systemd, as the first process of namespaces of its own, on a copy of this machine's files.
# sh boot.sh FOLDER BASE_PYTHON SITE_LIB
set -eu
scratch=$1 base=$2 lib=$3

# all that is written goes to memory, and is gone with the namespaces
mount -t tmpfs -o size=1g tmpfs "$scratch"
mkdir "$scratch/upper" "$scratch/work" "$scratch/root"
root=$scratch/root
mount -t overlay -o "lowerdir=/,upperdir=$scratch/upper,workdir=$scratch/work" overlay "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do
    touch "$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"

# nothing of this machine's is started but the journal
units=$root/lib/systemd/system
rm -rf "$units"/*.wants "$root"/etc/systemd/system/*
mkdir "$units/sysinit.target.wants" "$units/sockets.target.wants"
ln -s ../systemd-journald.service "$units/sysinit.target.wants/"
ln -s ../systemd-journald.socket "$units/sockets.target.wants/"
: >"$root/etc/fstab"
rm -f "$root/etc/machine-id"
: >"$root/etc/machine-id"

# Python where units with ProtectHome= find it, and its library where Python is moved to
mkdir -p "$root/opt/python" "$root/opt/kidney-genetics/.venv/lib"
mount --bind "$base" "$root/opt/python"
mount --bind "$lib" "$root/opt/kidney-genetics/.venv/lib"
cp -R "$scratch/../checkout/." "$root/opt/kidney-genetics"
mkdir "$root/etc/systemd/system/service.d"
printf '[Service]\nEnvironment=LD_LIBRARY_PATH=/opt/python/lib\n' >"$root/etc/systemd/system/service.d/python.conf"

cd "$root"
mkdir old
pivot_root . old
umount -l /old
exec env -i container=test PATH=/usr/bin:/bin:/usr/sbin:/sbin \
    /lib/systemd/systemd --system --unit=multi-user.target --log-target=journal --show-status=no
