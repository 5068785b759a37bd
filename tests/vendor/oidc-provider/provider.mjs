// A real identity provider on loopback: node-oidc-provider with the people of a file.
//
//   node provider.mjs <folder of node_modules> <issuer> <address of the product> <people.json>
//
// people.json maps a login to its claims and is read at every question, so that a test changes
// somebody's groups while it runs. Each start makes new keys: a restart is a change of keys.
import { randomBytes, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modules, issuer, product, people] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`));

const kid = randomBytes(8).toString("hex");
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const known = (login) => JSON.parse(readFileSync(people, "utf8"))[login];

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "portevoix",
      client_secret: process.env.CLIENT_SECRET,
      redirect_uris: [`${product}/sign-in/oidc/callback`],
      post_logout_redirect_uris: [`${product}/sign-in/oidc/signed-out`],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" }] },
  cookies: { keys: [randomBytes(32).toString("hex")] },
  scopes: ["openid", "profile", "email", "groups"],
  claims: {
    openid: ["sub"],
    profile: ["name"],
    email: ["email", "email_verified"],
    groups: ["groups"],
  },
  pkce: { required: () => true },
  findAccount: (_ctx, login) =>
    known(login) && { accountId: login, claims: () => ({ sub: login, ...known(login) }) },
});
provider.listen(Number(new URL(issuer).port), "127.0.0.1", () => console.log("ready", kid));
