#include "drivers/filesystem/filesystem_blobs.hpp"

#include "drivers/filesystem/scratch_directory.hpp"
#include "tests/contract/blob_store_contract.hpp"

namespace entrepot::blob_store_contract {
namespace {

FilesystemOptions options_at(const std::filesystem::path& root)
{
    FilesystemOptions options;
    options.root = root / "blobs";
    options.journal_bytes = 512 * 1024;
    return options;
}

struct OnDisk {
    FilesystemBlobs& blobs() { return store; }
    ScratchDirectory directory;
    FilesystemBlobs store{options_at(directory.path())};
};

struct OnDiskWithoutJournal {
    static FilesystemOptions options(const std::filesystem::path& root)
    {
        auto options = options_at(root);
        options.journal_bytes = 0;
        return options;
    }
    FilesystemBlobs& blobs() { return store; }
    ScratchDirectory directory;
    FilesystemBlobs store{options(directory.path())};
};

}  // namespace

using Disks = testing::Types<OnDisk, OnDiskWithoutJournal>;
INSTANTIATE_TYPED_TEST_SUITE_P(filesystem, BlobStoreContract, Disks);

}  // namespace entrepot::blob_store_contract
