/**
 * Proofs of every cryptosuite, made, derived and checked by implementations that are not ours.
 *
 * In:  {contexts: {url: document}, tasks: [task, …]}, a task being one of
 *      {do: 'sign', suite, curve, document, pointers?}    as the did:key of a new key
 *      {do: 'derive', document, pointers}                 from an ecdsa-sd-2023 base proof
 *      {do: 'verify', suite, document}
 * Out: {results: [{document} | {verified, why} | {error}]}
 */
import {World, answer, explain, keepStandardOutput, read} from './world.mjs';

keepStandardOutput();
const {contexts, tasks} = await read();
const world = new World(contexts);
world.replaceTheNetwork();
const documentLoader = world.loader();

const {DataIntegrityProof} = await import('@digitalbazaar/data-integrity');
const {Ed25519Signature2020} = await import('@digitalbazaar/ed25519-signature-2020');
const EcdsaMultikey = await import('@digitalbazaar/ecdsa-multikey');
const Ed25519Multikey = await import('@digitalbazaar/ed25519-multikey');
const {derive, issue, verifyCredential} = await import('@digitalbazaar/vc');
const ecdsaJcs = await import('@digitalbazaar/ecdsa-jcs-2019-cryptosuite');
const ecdsaRdfc = await import('@digitalbazaar/ecdsa-rdfc-2019-cryptosuite');
const ecdsaSd = await import('@digitalbazaar/ecdsa-sd-2023-cryptosuite');
const eddsaJcs = await import('@digitalbazaar/eddsa-jcs-2022-cryptosuite');
const eddsaRdfc = await import('@digitalbazaar/eddsa-rdfc-2022-cryptosuite');

const LEGACY = 'Ed25519Signature2020';
const SUITES = {
  'eddsa-rdfc-2022': {signing: () => eddsaRdfc.cryptosuite, checking: () => eddsaRdfc.cryptosuite},
  'ecdsa-rdfc-2019': {signing: () => ecdsaRdfc.cryptosuite, checking: () => ecdsaRdfc.cryptosuite},
  'eddsa-jcs-2022': {
    signing: eddsaJcs.createSignCryptosuite, checking: eddsaJcs.createVerifyCryptosuite
  },
  'ecdsa-jcs-2019': {
    signing: ecdsaJcs.createSignCryptosuite, checking: ecdsaJcs.createVerifyCryptosuite
  },
  'ecdsa-sd-2023': {
    signing: ({pointers = []}) => ecdsaSd.createSignCryptosuite({mandatoryPointers: pointers}),
    checking: ecdsaSd.createVerifyCryptosuite
  }
};

const DOING = {
  async sign(task) {
    const key = task.curve === 'Ed25519' ?
      await Ed25519Multikey.generate() : await EcdsaMultikey.generate({curve: task.curve});
    const did = `did:key:${key.publicKeyMultibase}`;
    Object.assign(key, {controller: did, id: `${did}#${key.publicKeyMultibase}`});
    const suite = task.suite === LEGACY ? new Ed25519Signature2020({signer: key.signer()}) :
      new DataIntegrityProof({
        signer: key.signer(), cryptosuite: SUITES[task.suite].signing(task)
      });
    const credential = {...task.document, issuer: {...task.document.issuer, id: did}};
    return {document: await issue({credential, suite, documentLoader})};
  },
  async derive({document, pointers}) {
    const suite = new DataIntegrityProof({
      cryptosuite: ecdsaSd.createDiscloseCryptosuite({selectivePointers: pointers})
    });
    return {document: await derive({verifiableCredential: document, suite, documentLoader})};
  },
  async verify({suite: name, document}) {
    const suite = name === LEGACY ? new Ed25519Signature2020() :
      new DataIntegrityProof({cryptosuite: SUITES[name].checking()});
    const {verified, error} = await verifyCredential({credential: document, suite, documentLoader});
    return {verified, why: explain(error)};
  }
};

const results = [];
for(const task of tasks) {
  try {
    results.push(await DOING[task.do](task));
  } catch(error) {
    results.push({error: explain(error)});
  }
}
answer({results});
