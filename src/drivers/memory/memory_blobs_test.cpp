#include "drivers/memory/memory_blobs.hpp"

#include "tests/contract/blob_store_contract.hpp"

namespace entrepot::blob_store_contract {
namespace {

struct InMemory {
    MemoryBlobs& blobs() { return store; }
    MemoryBlobs store;
};

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(memory, BlobStoreContract, InMemory);

}  // namespace entrepot::blob_store_contract
