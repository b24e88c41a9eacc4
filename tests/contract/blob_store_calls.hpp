#pragma once

#include "oci/hasher.hpp"
#include "ports/blob_store.hpp"
#include "tests/support/pattern.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

// How tests call a blob store: its tasks run to their end, and blobs of their making.
namespace entrepot::blob_store_contract {

template <class T>
asio::awaitable<void> keep_result(Task<T> task, std::optional<Result<T>>& result)
{
    result = co_await std::move(task);
}

// The loop of all tests. Never destroyed: a store's thread may still be inside the post that ended the last run().
inline asio::io_context& test_loop()
{
    static auto* const loop = new asio::io_context;
    return *loop;
}

// Runs the task to its end.
template <class T>
Result<T> run(Task<T> task)
{
    auto& loop = test_loop();
    loop.restart();
    std::optional<Result<T>> result;
    asio::co_spawn(loop, keep_result(std::move(task), result), asio::detached);
    loop.run();
    return *std::move(result);
}

template <class T>
std::vector<Result<T>> run_all(std::vector<Task<T>> tasks)
{
    auto& loop = test_loop();
    loop.restart();
    std::vector<std::optional<Result<T>>> slots(tasks.size());
    for (std::size_t index = 0; index < tasks.size(); ++index) {
        asio::co_spawn(loop, keep_result(std::move(tasks[index]), slots[index]), asio::detached);
    }
    loop.run();
    std::vector<Result<T>> results;
    for (auto& slot : slots) results.push_back(*std::move(slot));
    return results;
}

inline UploadId upload_id(char digit)
{
    return UploadId{std::string(32, digit)};
}

// Bytes that differ from place to place, so that a shifted or repeated part shows.
inline std::string content_of(std::size_t size, unsigned seed = 1)
{
    return pattern(size, seed);
}

inline Result<> append(BlobUpload& upload, std::string_view bytes)
{
    auto rest = as_bytes(bytes);
    while (!rest.empty()) {
        Buffer chunk;
        rest = rest.subspan(chunk.fill(rest));
        if (auto appended = run(upload.append(std::move(chunk))); !appended) return appended;
    }
    return {};
}

inline std::string bytes_of(const BlobContent& content)
{
    if (content.bytes) return *content.bytes;
    std::string bytes(content.size + 1, '\0');
    const auto count = ::pread(content.file->descriptor(), bytes.data(), bytes.size(), 0);
    bytes.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return bytes;
}

}  // namespace entrepot::blob_store_contract
