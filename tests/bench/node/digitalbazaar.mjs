/**
 * @digitalbazaar/vc with its contexts in memory: what peer.mjs measures and server.mjs serves.
 */
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {issue, verifyCredential} from '@digitalbazaar/vc';

/** An issuer and a verifier that look nothing up. */
export async function implementation({contexts, seed, verificationMethod, didDocument}) {
  const documentLoader = loader(contexts, didDocument);
  const key = await Ed25519Multikey.generate({
    seed: Buffer.from(seed, 'hex'),
    id: verificationMethod,
    controller: verificationMethod.split('#')[0]
  });
  const signer = key.signer();
  return {
    async issue(credential) {
      const suite = new DataIntegrityProof({signer, cryptosuite});
      return JSON.stringify(await issue({credential, suite, documentLoader}));
    },
    async verify(text) {
      const suite = new DataIntegrityProof({cryptosuite});
      const {verified, error} = await verifyCredential({
        credential: JSON.parse(text), suite, documentLoader, checkStatus
      });
      if(!verified) {
        throw error;
      }
    }
  };
}

/** The status is not what is measured, and without a checker a credential that has one is refused. */
async function checkStatus() {
  return {verified: true};
}

function loader(contexts, didDocument) {
  const documents = new Map(Object.entries(contexts));
  documents.set(didDocument.id, didDocument);
  for(const method of didDocument.verificationMethod) {
    documents.set(method.id, {'@context': 'https://w3id.org/security/multikey/v1', ...method});
  }
  return async url => {
    const document = documents.get(url);
    if(document === undefined) {
      throw new Error(`${url} is not in memory`);
    }
    return {contextUrl: null, documentUrl: url, document, tag: 'static'};
  };
}
