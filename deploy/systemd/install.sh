# Installs the units of a checkout at /opt/kidney-genetics; run as root, again after an upgrade.
# Then: systemctl enable --now kidney-genetics-api kidney-genetics-worker kidney-genetics-worker@2
set -eu
cd "$(dirname "$0")"

id -u kidney >/dev/null 2>&1 ||
    useradd --system --user-group --home-dir /opt/kidney-genetics --no-create-home \
        --shell /usr/sbin/nologin kidney

units=/etc/systemd/system
install -m 644 kidney-genetics-api.service kidney-genetics-worker.service "$units"
# a copy, as systemd rejects a template that is a link to a unit that is none
install -m 644 kidney-genetics-worker.service "$units/kidney-genetics-worker@.service"

# it holds passwords, and the programs read it too
if [ -e ../../.env ]; then
    chown kidney: ../../.env
    chmod 600 ../../.env
else
    echo "Next: cp .env.example .env in /opt/kidney-genetics, edit it, and run this again." >&2
fi

# the code is no secret, and was perhaps installed with a umask of 077; backups and .env are
cd ../..
chmod a+rx .
for part in .venv backend deploy docs requirements Makefile justfile noxfile.py README.md \
    mkdocs.yml compose.yaml compose.hybrid.yaml .env.example; do
    [ ! -e "$part" ] ||
        find "$part" ! -type l \( ! -perm -444 -o -type d ! -perm -555 \) -exec chmod a+rX {} +
done
systemctl daemon-reload
