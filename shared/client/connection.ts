/** Of AWS, or of an emulator; functions that fetch them are fine too. */
export type Credentials =
  | { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
  | (() => Promise<{ accessKeyId: string; secretAccessKey: string; sessionToken?: string }>)

/** How to call the services of a deployment. What is left out the AWS SDK finds. */
export interface Connection {
  readonly endpoint?: string
  readonly region?: string
  readonly credentials?: Credentials
}
