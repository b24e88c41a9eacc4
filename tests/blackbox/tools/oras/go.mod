module entrepot.test/tools/oras

go 1.24.2

require oras.land/oras v1.2.3
