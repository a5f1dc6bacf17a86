// Somebody else's OpenID provider on this machine, with one client and the accounts it is given.
// It says on which port it is ready, and ends when its input does.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

import Provider from "oidc-provider";

const given = JSON.parse(process.argv[2]);
const server = createServer({ cert: readFileSync(given.cert), key: readFileSync(given.key) });
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const provider = new Provider(`https://localhost:${port}`, {
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    clients: [{ ...given.client, grant_types: ["authorization_code"], response_types: ["code"] }],
    cookies: { keys: ["only here"] },
    features: { devInteractions: { enabled: true } },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, ...given.accounts[id] }),
    }),
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", kid: "one" }] },
    pkce: { required: () => true },
  });
  server.on("request", provider.callback());
  process.stdout.write(`${port}\n`);
});
process.stdin.resume().on("end", () => process.exit(0));
