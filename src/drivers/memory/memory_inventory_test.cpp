#include "drivers/memory/memory_blobs.hpp"

#include "tests/contract/blob_inventory_contract.hpp"

namespace entrepot::blob_store_contract {
namespace {

struct RottingMemory {
    MemoryBlobs& blobs() { return store; }
    void rot(const Digest& digest, std::string bytes) { store.rot(digest, std::move(bytes)); }
    MemoryBlobs store;
};

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(memory, BlobInventoryContract, RottingMemory);

}  // namespace entrepot::blob_store_contract
