// A real, certified OpenID provider (npm oidc-provider) that issues JWT access tokens to clients.
//
//   node oidc-provider.mjs MODULES PORT
//
// MODULES is the folder with `node_modules`. Its keys are made anew at each start: a restart on the
// same port is a key rotation. A token asked for with `resource=urn:api:ALG` is signed with ALG.
// Prints `up ISSUER` when it listens.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, port] = process.argv.slice(2);
const found = createRequire(`${modules}/`).resolve('oidc-provider');
const { Provider } = await import(pathToFileURL(found).href);

const key = (kind, options, alg) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }),
  use: 'sig',
  alg,
  kid: `${alg}-${randomUUID().slice(0, 8)}`,
});
const rsa = { modulusLength: 2048 };
const keys = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((alg) => key('rsa', rsa, alg)),
  key('ec', { namedCurve: 'P-256' }, 'ES256'),
  key('ec', { namedCurve: 'P-384' }, 'ES384'),
  key('ed25519', {}, 'EdDSA'),
];

const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: 'svc',
    client_secret: 'svc-secret',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    scope: 'read write',
  }],
  jwks: { keys },
  scopes: ['openid', 'read', 'write'],
  extraTokenClaims: () => ({ tenant: 'acme' }),
  ttl: { ClientCredentials: 300 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'urn:api:RS256',
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, resource) => ({
        scope: 'read write',
        audience: 'shop-api',
        accessTokenTTL: 300,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: resource.split(':').pop() } },
      }),
    },
  },
});
provider.on('server_error', (_context, error) => console.error('server_error', error));
provider.listen(port, '127.0.0.1', () => console.log(`up ${issuer}`));
