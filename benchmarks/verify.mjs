// Node's contenders: `node verify.mjs raw` (crypto alone) and `node verify.mjs cognito` (aws-jwt-verify).
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const token = process.env.BENCH_TOKEN;
const jwks = JSON.parse(readFileSync(process.env.AWS_COGNITO_JWKS_PATH, "utf8"));

function raw() {
  const key = createPublicKey({ key: jwks.keys[0], format: "jwk" });
  const dot = token.lastIndexOf(".");
  const message = Buffer.from(token.slice(0, dot));
  const signature = Buffer.from(token.slice(dot + 1), "base64url");
  return () => verify("RSA-SHA256", message, key, signature);
}

function cognito() {
  const { CognitoJwtVerifier } = createRequire(process.env.BENCH_NODE_MODULES)("aws-jwt-verify");
  const verifier = CognitoJwtVerifier.create({
    userPoolId: process.env.COGNITO_USERPOOL_ID, clientId: process.env.COGNITO_APP_CLIENT_ID.split(","), tokenUse: "id",
  });
  verifier.cacheJwks(jwks);
  return () => verifier.verifySync(token);
}

const call = { raw, cognito }[process.argv[2]]();
call();
for await (const line of createInterface({ input: process.stdin })) {
  const began = process.cpuUsage();
  for (let count = Number(line); count > 0; count--) call();
  const { user, system } = process.cpuUsage(began);
  console.log(String((user + system) * 1000));
}
