/**
 * Issue credentials with an issuer that is not ours, under a did:key or a did:web.
 *
 * In:  {world: {address: document}, seed: 64 hex digits, created?, credentials: […],
 *       at?: the https address of did.json,
 *       lists?: [{id, statusPurpose, raised: [index, …]}]}
 * Out: {did, didDocument?, credentials: […], lists: […]}, each credential with this
 *      DID as its issuer's id and an eddsa-rdfc-2022 proof, as has every list.
 */
import {World, answer, keepStandardOutput, read} from './world.mjs';

const LIST_LENGTH = 131072;

keepStandardOutput();
const {world: documents, seed, created, credentials, at, lists = []} = await read();
const world = new World(documents);
world.replaceTheNetwork();

const {DataIntegrityProof} = await import('@digitalbazaar/data-integrity');
const Ed25519Multikey = await import('@digitalbazaar/ed25519-multikey');
const {cryptosuite} = await import('@digitalbazaar/eddsa-rdfc-2022-cryptosuite');
const {issue} = await import('@digitalbazaar/vc');

const key = await Ed25519Multikey.generate({seed: Buffer.from(seed, 'hex')});
const {did, didDocument} = at ? await underDidWeb(at) : underDidKey();

const issued = [];
for(const credential of credentials) {
  const {issuer} = credential;
  issued.push(await sign({
    ...credential,
    issuer: typeof issuer === 'object' ? {...issuer, id: did} : did
  }));
}
const listed = [];
for(const {id, statusPurpose, raised} of lists) {
  listed.push(await sign({...await statusList(id, statusPurpose, raised), issuer: did}));
}
answer({did, didDocument, credentials: issued, lists: listed});

function sign(credential) {
  const suite = new DataIntegrityProof({
    signer: key.signer(), cryptosuite, ...(created && {date: created})
  });
  return issue({credential, suite, documentLoader: world.loader()});
}

function underDidKey() {
  const did = `did:key:${key.publicKeyMultibase}`;
  Object.assign(key, {controller: did, id: `${did}#${key.publicKeyMultibase}`});
  return {did};
}

/** The document that their own driver writes; it gives `key` its id as well. */
async function underDidWeb(url) {
  const driver = (await import('@digitalbazaar/did-method-web')).driver();
  driver.use({multibaseMultikeyHeader: 'z6Mk', fromMultibase: Ed25519Multikey.from});
  const {didDocument, methodFor} = await driver.fromKeyPair({url, verificationKeyPair: key});
  const {id, controller} = methodFor({purpose: 'assertionMethod'});
  Object.assign(key, {id, controller});
  return {did: didDocument.id, didDocument};
}

async function statusList(id, statusPurpose, raised) {
  const {createCredential, createList} =
    await import('@digitalbazaar/vc-bitstring-status-list');
  const list = await createList({length: LIST_LENGTH});
  raised.forEach(index => list.setStatus(index, true));
  return createCredential({id, list, statusPurpose});
}
