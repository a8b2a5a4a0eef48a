import { describe } from 'vitest'
import { describeAttributes } from './object-attributes.suite.ts'
import { describeContent } from './object-content.suite.ts'
import { describeCopies } from './object-copies.suite.ts'
import { describeLinks } from './object-links.suite.ts'
import { describeListing } from './object-listing.suite.ts'
import { describeUploads } from './object-uploads.suite.ts'
import { type ObjectStoreSetup, once, type Setup } from './setups.ts'

/** The laws of `ObjectStore`: S3's own, with compare-and-set at every change of a visible object. */
export const describeObjectStoreContract = (name: string, setup: Setup<ObjectStoreSetup>): void => {
  describe(`object store: ${name}`, () => {
    const shared = once(setup)
    describe('content', () => {
      describeContent(shared)
    })
    describe('attributes', () => {
      describeAttributes(shared)
    })
    describe('copies', () => {
      describeCopies(shared)
    })
    describe('uploads', () => {
      describeUploads(shared)
    })
    describe('listing', () => {
      describeListing(shared)
    })
    describe('links', () => {
      describeLinks(shared)
    })
  })
}
