# Installs the units of a checkout at /opt/kidney-genetics. Run it as root, and again after an upgrade.
# Then start the services: systemctl enable --now kidney-genetics-api kidney-genetics-worker kidney-genetics-worker@2
set -eu
cd "$(dirname "$0")"

id -u kidney >/dev/null 2>&1 ||
    useradd --system --user-group --home-dir /opt/kidney-genetics --no-create-home \
        --shell /usr/sbin/nologin kidney

units=/etc/systemd/system
install -m 644 kidney-genetics-api.service kidney-genetics-worker.service \
    kidney-genetics-failure@.service "$units"
# a copy, because systemd rejects a template that is a link to a unit that is not a template
install -m 644 kidney-genetics-worker.service "$units/kidney-genetics-worker@.service"

# .env contains passwords; the services and the commands of the user kidney read it
if [ -e ../../.env ]; then
    chown kidney: ../../.env
    chmod 600 ../../.env
else
    echo "There is no .env yet: type cp .env.example .env in /opt/kidney-genetics, edit .env, and run this script again." >&2
fi

cd ../..
# the services cannot write bytecode here, so without it they would compile the code at every start
[ ! -e .venv/bin/python ] || .venv/bin/python -m compileall -q backend/app

# a umask of 077 may have made the code unreadable for the user kidney; backups and .env stay private
chmod a+rx .
for part in .venv backend deploy docs requirements Makefile justfile noxfile.py README.md \
    mkdocs.yml compose.yaml compose.hybrid.yaml .env.example; do
    [ ! -e "$part" ] ||
        find "$part" ! -type l \( ! -perm -444 -o -type d ! -perm -555 \) -exec chmod a+rX {} +
done
systemctl daemon-reload
