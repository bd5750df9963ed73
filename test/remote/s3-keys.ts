/**
 * The keys of the S3 servers of the tests, in the variables that the client reads: s3rver knows these and no others, moto
 * takes any. One file sets them, since test files of one process share its environment.
 */
process.env['AWS_ACCESS_KEY_ID'] = 'S3RVER';
process.env['AWS_SECRET_ACCESS_KEY'] = 'S3RVER';
