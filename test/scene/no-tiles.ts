/** For locators of tests in which no scene is made of tiles. */
export const noTiles = {
  picture: (): never => {
    throw new Error('this test has no tile service');
  },
};
