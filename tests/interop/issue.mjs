/**
 * Issue credentials with an issuer that is not ours, under a did:key.
 *
 * In:  {world: {address: document}, seed: 64 hex digits, created?, credentials: […]}
 * Out: {did, credentials: […]}, each with this did:key as its issuer's id and
 *      an eddsa-rdfc-2022 proof.
 */
import {World, answer, keepStandardOutput, read} from './world.mjs';

keepStandardOutput();
const {world: documents, seed, created, credentials} = await read();
const world = new World(documents);
world.replaceTheNetwork();

const {DataIntegrityProof} = await import('@digitalbazaar/data-integrity');
const Ed25519Multikey = await import('@digitalbazaar/ed25519-multikey');
const {cryptosuite} = await import('@digitalbazaar/eddsa-rdfc-2022-cryptosuite');
const {issue} = await import('@digitalbazaar/vc');

const key = await Ed25519Multikey.generate({seed: Buffer.from(seed, 'hex')});
const did = `did:key:${key.publicKeyMultibase}`;
Object.assign(key, {controller: did, id: `${did}#${key.publicKeyMultibase}`});

const issued = [];
for(const credential of credentials) {
  const {issuer} = credential;
  const suite = new DataIntegrityProof({
    signer: key.signer(), cryptosuite, ...(created && {date: created})
  });
  issued.push(await issue({
    credential: {
      ...credential,
      issuer: typeof issuer === 'object' ? {...issuer, id: did} : did
    },
    suite,
    documentLoader: world.loader()
  }));
}
answer({did, credentials: issued});
