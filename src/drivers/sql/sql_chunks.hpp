#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/chunk_catalog.hpp"

namespace entrepot {

// ChunkCatalog on any SqlEngine, which outlives it.
class SqlChunks final : public ChunkCatalog {
public:
    explicit SqlChunks(SqlEngine& engine) : engine_{engine} {}

    Task<std::vector<ChunkRoot>> roots(std::vector<Digest> blobs) override;
    Task<std::string> hashes(Digest blob) override;
    Task<> store(ChunkList list) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
